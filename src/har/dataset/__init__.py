"""From labeled videos to a store: catalog, doctor, splits, store. No Keras here."""
