"""Lines on which requests do not come whole are cut, others are not."""

import asyncio
from functools import partial

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from har.serve.running import _Impatient

HEAD_S, BODY_S = 0.3, 0.6
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"


async def echo(request: Request) -> PlainTextResponse:
    body = await request.body()
    await asyncio.sleep(HEAD_S * 1.5 if not body else 0)
    return PlainTextResponse(b"got " + body)


async def talk(*parts: bytes, pause_s: float = 0.0) -> tuple[bytes, float]:
    """Send parts of a request to a server; return all that it says, and after how many seconds."""
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    config = uvicorn.Config(app, log_level="critical", timeout_keep_alive=30)
    make = partial(_Impatient, config=config, server_state=ServerState(), app_state={})
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(make, head_s=HEAD_S, body_s=BODY_S), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        began_s = loop.time()
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause_s)
        said = b""
        while b"got" not in said and (more := await asyncio.wait_for(reader.read(1000), 5)):
            said += more
        writer.close()
    return said, loop.time() - began_s


@pytest.mark.parametrize(
    ("parts", "pause_s", "due_s"),
    [
        ((b"",), 0.0, HEAD_S),
        ((GET[:-2],), 0.0, HEAD_S),
        ((GET[:5], GET[5:9], GET[9:12], GET[12:-2]), 0.05, HEAD_S),
        ((POST, b"ab"), 0.0, BODY_S),
    ],
    ids=["nothing", "half a head", "a head by and by", "half a body"],
)
def test_a_request_that_does_not_come_is_not_waited_for(parts, pause_s, due_s):
    said, took_s = asyncio.run(talk(*parts, pause_s=pause_s))
    assert said == b""
    assert due_s - 0.05 < took_s < due_s + 2


@pytest.mark.parametrize(
    ("parts", "expected"),
    [((GET,), b"got "), ((POST, b"a", b"bcd"), b"got abcd"), ((POST + b"abcd",), b"got abcd")],
    ids=["answered late", "in parts", "at once"],
)
def test_what_comes_whole_is_answered(parts, expected):
    said, _ = asyncio.run(talk(*parts, pause_s=HEAD_S * 0.6 if len(parts) > 1 else 0.0))
    assert said.endswith(expected)
