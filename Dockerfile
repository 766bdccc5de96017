# `har watch` in a container: recognition only, no TensorFlow. docs/how-to/containers.md tells how to
# run it, and what the licence of FFmpeg's parts means for whoever passes the image on.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && python3 -m venv /pip \
    && python3 -m venv --without-pip /opt/har
COPY pyproject.toml requirements.txt README.md LICENSE /source/
COPY src /source/src
RUN grep == /source/requirements.txt > /source/versions.txt \
    && /pip/bin/pip --python /opt/har/bin/python install --no-cache-dir \
        -c /source/versions.txt '/source[live]'

FROM ${BASE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 tzdata \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin har \
    && install -d -o har -g har /srv/har /srv/har/alerts /srv/har/models
COPY --from=build /opt/har /opt/har
ENV PATH=/opt/har/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /srv/har
USER 10001:10001
VOLUME ["/srv/har/alerts", "/srv/har/models"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9464/healthz', timeout=8)"]
ENTRYPOINT ["har"]
CMD ["watch", "--config", "/etc/har/watch.toml", "--out", "/srv/har/alerts", "--metrics-port", "9464"]
