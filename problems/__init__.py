"""The problems of gradmark: networks and their layers, real data, test functions (gradmark built-ins)."""
