"""Evolution strategies over several processes: the method in `distributed_es`, one worker's part in `share`."""
