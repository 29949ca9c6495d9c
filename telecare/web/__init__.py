"""Pages and their sockets: the highest layer, which may ask every domain package."""
