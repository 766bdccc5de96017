"""The service's OpenAPI document.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from typing import Any

from har.config import ServeConfig
from har.version import __version__

_NUMBER, _TEXT = {"type": "number"}, {"type": "string"}
_OPTIONAL_TEXT = {"type": ["string", "null"]}
_EVENT = {
    "type": "object",
    "required": ["label", "onset_s", "offset_s", "score"],
    "properties": {
        "label": _TEXT,
        "onset_s": _NUMBER,
        "offset_s": _NUMBER,
        "score": _NUMBER,
        "subject": _OPTIONAL_TEXT,
        "target": _OPTIONAL_TEXT,
    },
}
_RESULT = {
    "type": "object",
    "properties": {
        "video": _TEXT,
        "duration_s": _NUMBER,
        "label": _TEXT,
        "probs": {"type": "object", "additionalProperties": _NUMBER},
        "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
    },
}
_JOB = {
    "type": "object",
    "required": ["id", "name", "state", "progress"],
    "properties": {
        "id": _TEXT,
        "name": _TEXT,
        "state": {"enum": ["waiting", "running", "done", "failed"]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "error": _OPTIONAL_TEXT,
        "result": {"$ref": "#/components/schemas/Result"},
    },
}
_SCORES = {
    "type": "object",
    "properties": {
        "labels": {"type": "array", "items": _TEXT},
        "step_s": _NUMBER,
        "times_s": {"type": "array", "items": _NUMBER},
        "values": {"type": "array", "items": {"type": "array", "items": _NUMBER}},
    },
}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": _TEXT}}


def describe_service(config: ServeConfig) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    job_id = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
    body = {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {
            "schema": {"type": "object", "required": ["path"], "properties": {"path": _TEXT}}
        },
    }
    predict = {
        "summary": f"Recognize a video: the body itself, at most {config.max_mb} MB, or its path",
        "parameters": [
            {"name": "name", "in": "query", "schema": _TEXT, "description": "Of the upload"},
            {
                "name": "wait",
                "in": "query",
                "schema": {"type": "number", "minimum": 0, "maximum": config.max_wait_s},
                "description": "Seconds to wait for the result",
            },
        ],
        "requestBody": {"required": True, "content": body},
        "responses": _answer("Job", "The job is over", 400, 401, 404, 408, 413, 415, 503, 507)
        | {"202": _describe("Job", "The job waits or runs")},
    }
    job = {"get": _get("A job, with its result once it is done", "Job", job_id)}
    job["delete"] = {
        "summary": "Forget a job, and end it",
        "parameters": [job_id],
        "responses": {"204": {"description": "It is gone"}, "404": _describe("Error", "No job")},
    }
    events = {"events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}}
    jobs = {"jobs": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}}}
    health: dict[str, Any] = {
        "summary": "Whether it runs",
        "security": [],
        "responses": {"200": {"description": "It does"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "har serve", "version": __version__},
        "security": [{"token": []}],
        "paths": {
            "/predict": {"post": predict},
            "/jobs": {"get": _get("All jobs", "Jobs")},
            "/jobs/{id}": job,
            "/jobs/{id}/events": {"get": _get("Events of a job", "Events", job_id)},
            "/jobs/{id}/scores": {"get": _get("Scores over time of a job", "Scores", job_id)},
            "/healthz": {"get": health},
            "/openapi.json": {"get": {**health, "summary": "This document"}},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Error": _ERROR,
                "Event": _EVENT,
                "Events": {"type": "object", "properties": events},
                "Job": _JOB,
                "Jobs": {"type": "object", "properties": jobs},
                "Result": _RESULT,
                "Scores": _SCORES,
            },
        },
    }


def _get(summary: str, schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    refusals = (401, 404, 409, 422) if parameters else (401,)
    answers = _answer(schema, summary, *refusals)
    return {"summary": summary, "parameters": list(parameters), "responses": answers}


def _answer(schema: str, text: str, *refusals: int) -> dict[str, Any]:
    refused = {str(status): _describe("Error", "Why it is refused") for status in refusals}
    return {"200": _describe(schema, text), **refused}


def _describe(schema: str, text: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": text, "content": content}
