"""The network: motion encoding, backbone, temporal head, bundles. Keras 3 API only."""
