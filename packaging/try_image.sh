#!/usr/bin/env bash
# Builds the image of `Dockerfile` without a Docker daemon and tries it: size, user, read-only root,
# start, alerts on a volume, health, a clean end. Needs root, debootstrap and buildah or podman, on
# Debian: apt-get install debootstrap podman buildah crun curl bc. Where no registry of images is reachable,
# the base is made by debootstrap.
#
#   packaging/try_image.sh VIDEO [FOLDER]    of what a model raises an alert; FOLDER for the base
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -d /sys/fs/cgroup/unified ]; then # crun knows no mix of both versions of cgroups
  exec unshare --mount bash -c \
    'umount --recursive /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' - "$0" "$@"
fi
video=$(realpath "$1")
work=$(realpath -m "${2:-/tmp/har-image}")
mkdir -p "$work"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

base=localhost/debian:bookworm-slim
if ! buildah inspect --type image "$base" > /dev/null 2>&1; then
  [ -d "$work/rootfs" ] || debootstrap --variant=minbase bookworm "$work/rootfs" > "$work/debootstrap.log"
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  cp -a "$work/rootfs/." "$root"
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*
  find "$root/usr/share/doc" -depth -type f ! -name copyright -delete  # as the slim image does
  rm -rf "$root"/usr/share/{man,info,locale}/*
  buildah umount "$container"
  buildah commit --quiet --rm "$container" "$base" > /dev/null
fi

# pip in the container trusts what this machine trusts
printf '[global]\ncert = /trusted.crt\n' > "$work/pip.conf"
buildah build --format docker --build-arg BASE="$base" \
  --volume /etc/ssl/certs/ca-certificates.crt:/trusted.crt:ro \
  --volume "$work/pip.conf:/etc/pip.conf:ro" --tag localhost/har . > "$work/build.log" 2>&1
podman() { command podman --log-level=fatal "$@"; }
echo "size: $(($(podman image inspect --format '{{.Size}}' localhost/har) / 1000000)) MB"
rights=(--network host --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=1024:1024
  --read-only --cap-drop ALL --security-opt no-new-privileges)
podman run --rm "${rights[@]}" --entrypoint sh localhost/har -c '
  echo "user: $(id)"
  for file in /etc/x /opt/har/x /srv/har/x /usr/x; do
    touch "$file" 2> /dev/null && { echo "$file can be written"; exit 1; }
  done
  touch /srv/har/alerts/x /tmp/x && echo "read-only but for alerts and /tmp: yes"
  grep -E "NoNewPrivs|CapEff|CapBnd" /proc/self/status
  python -c "import tensorflow" 2>&1 | tail -1'

echo /video.mp4 > "$work/hall"
cat > "$work/watch.toml" <<'END'
[sources]
hall = "file:/run/secrets/hall"
[watch]
loop = true
[privacy]
faces = "blur"
uncertain = "blur-moving"
END
alerts="$work/alerts"
rm -rf "$alerts" && install -d -o 10001 "$alerts"
mounts=(--volume "$video:/video.mp4:ro" --volume "$work/hall:/run/secrets/hall:ro"
  --volume "$work/watch.toml:/etc/har/watch.toml:ro" --volume "$alerts:/srv/har/alerts")
podman run --rm "${rights[@]}" "${mounts[@]}" localhost/har \
  watch --config /etc/har/watch.toml --check
begun=$(date +%s.%N)
podman run --detach --name har-try "${rights[@]}" "${mounts[@]}" localhost/har > /dev/null
trap 'podman rm --force har-try > /dev/null' EXIT
until curl --silent --fail http://127.0.0.1:9464/healthz > "$work/health"; do
  [ "$(podman container inspect --format '{{.State.Running}}' har-try)" = true ] || { podman logs har-try; exit 1; }
  sleep 0.1
done
echo "healthy after $(echo "$(date +%s.%N) - $begun" | bc) s: $(cat "$work/health")"
podman healthcheck run har-try && echo "the image's own health check: healthy"
until ls "$alerts"/alerts/*.json > /dev/null 2>&1; do sleep 0.2; done
rss=$(awk '/VmHWM/ {print $2}' "/proc/$(podman container inspect --format '{{.State.Pid}}' har-try)/status")
echo "memory at most: $((rss / 1000)) MB"
podman stop --time 60 har-try > /dev/null
echo "ended with $(podman container inspect --format '{{.State.ExitCode}}' har-try) on SIGTERM"
podman logs har-try 2>&1 | tail -4
ls -l "$alerts" "$alerts/alerts"
