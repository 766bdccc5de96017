"""Runs GStreamer's RTSP server: `python3 rtsp_server.py PORT VIDEO`, PORT 0 for any free one.

Needs no encoder: the H.264 of the file is sent as it is, from the start to each client, at its own
speed. Prints the port once clients may come.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

N_PATHS = 32

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
for number in range(N_PATHS):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f'( filesrc location="{sys.argv[2]}" ! qtdemux ! h264parse '
        "! rtph264pay name=pay0 pt=96 config-interval=-1 )"
    )
    server.get_mount_points().add_factory(f"/cam{number}", factory)
if not server.attach(None):
    sys.exit(f"port {sys.argv[1]} is taken")
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
