"""Jobs: who may start, where each one stands, how it ends, and the record of it all."""
