"""`har bundle`: pack, unpack, verify, card, push."""

from __future__ import annotations

from pathlib import Path

import click

from har.cli.common import PATH, json_option, path_option
from har.cli.output import print_json, say, say_error, say_result
from har.progress import format_count

_bundle_argument = click.argument("bundle", type=PATH)
_license_help = "Short name of its license on the hub, such as mit, cc-by-nc-4.0 or other."


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bundle() -> None:
    """Send, check or share a trained model: as one file, or on the Hugging Face Hub.

    Nothing is sent or fetched but by 'push', and where a bundle is named as hf://OWNER/NAME.
    """


@bundle.command("pack")
@_bundle_argument
@path_option("--out", help="The file.  [default: NAME.zip]")
@json_option
def pack(bundle: Path, out: Path | None, as_json: bool) -> None:
    """Write a bundle as one zip file.

    The same bundle gives the same bytes. Only files that belong to it are in.
    """
    import har

    packed = har.pack_model(bundle, out)
    if as_json:
        print_json({"file": str(packed), "n_bytes": packed.stat().st_size})
    say_result(f"{packed}: {packed.stat().st_size / 1e6:.1f} MB")


@bundle.command("unpack")
@click.argument("file", type=PATH)
@path_option("--out", help="A new folder.  [default: named like the file, beside it]")
@json_option
def unpack(file: Path, out: Path | None, as_json: bool) -> None:
    """Write the bundle of a zip file into a folder.

    Names, sizes and hashes are checked before the folder is there.
    """
    import har

    model = har.unpack_model(file, out)
    if as_json:
        print_json({"bundle": str(model.path), "labels": list(model.labels)})
    say_result(f"{model.path}: {', '.join(model.labels)}")


@bundle.command("verify")
@_bundle_argument
@json_option
@click.pass_context
def verify(ctx: click.Context, bundle: Path, as_json: bool) -> None:
    """Look whether a bundle is whole.

    In a folder or a zip file. What is wrong is printed, and the exit code is 1. That nothing is
    means that the files are those that were saved, whoever saved them.
    """
    import har

    found = har.verify_model(bundle)
    if as_json:
        print_json(found.to_json())
    for problem in found.problems:
        say_error(problem)
    if found.problems:
        ctx.exit(1)
    size = f"{format_count(len(found.files), 'file')}, {found.n_bytes / 1e6:.1f} MB"
    say_result(f"{bundle} is whole: {', '.join(found.labels)}; {size}")


@bundle.command("card")
@_bundle_argument
@click.option("--license", help=_license_help)
@path_option("--out", help="A file to write in place of standard output.")
def card(bundle: Path, license: str | None, out: Path | None) -> None:  # noqa: A002
    """Print a bundle's card as the page of a hub.

    License, kind and cross-validated figures stand before it as YAML, for machines.
    """
    import har
    from har.files import write_text

    text = har.describe_model(bundle, license=license)
    if out is None:
        click.echo(text, nl=False)
        return
    write_text(out, text)
    say(f"Written: {out}")


@bundle.command("push")
@_bundle_argument
@click.argument("address")
@click.option("--license", required=True, help=_license_help)
@click.option("--public", is_flag=True, help="Show a repository that this makes to everybody.")
@click.option("--message", default="Add a model of har", show_default=True, help="Of the change.")
@json_option
def push(bundle: Path, address: str, as_json: bool, **options: str | bool) -> None:
    """Put a bundle on the hub at ADDRESS.

    ADDRESS is hf://OWNER/NAME, with @BRANCH for another branch than main; the bundle's
    card becomes the page. A repository that is made by this is private without --public. Needs the
    extra hub, and a token: HF_TOKEN, or 'hf auth login'.
    """
    import har

    done = har.push_model(bundle, address, **options)  # type: ignore[arg-type]
    if as_json:
        print_json({"address": done.address, "url": done.url})
    say_result(f"{done.address}\n{done.url}")
