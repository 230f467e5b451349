"""Evolution strategies over several processes: the method `distributed_es`, and a worker's `share` of it."""
