#!/usr/bin/env bash
# Builds the image of `Dockerfile` without a Docker daemon and tries it: size, user, read-only root,
# start, alerts on a volume, health, a clean end. Needs root, debootstrap and buildah or podman, on
# Debian: apt-get install debootstrap podman buildah crun. Where no registry of images is reachable,
# the base is made by debootstrap.
#
#   packaging/try_image.sh VIDEO [FOLDER]    FOLDER for the base and what is measured
set -euo pipefail
cd "$(dirname "$0")/.."
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
echo "image: $(buildah inspect --type image --format '{{.Docker.Size}}' localhost/har) bytes (as Docker counts)"
buildah inspect --type image --format \
  'user {{.Docker.Config.User}}, volumes {{.Docker.Config.Volumes}}, health {{.Docker.Config.Healthcheck}}' localhost/har
