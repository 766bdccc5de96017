"""One run on many machines: shards of a job array, Ray, object stores, Parquet of all."""
