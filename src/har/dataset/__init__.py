"""From labeled videos to prepared clips (a store): catalog, validation, splits. No Keras here."""
