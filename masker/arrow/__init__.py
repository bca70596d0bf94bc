"""The only package that knows pyarrow: types, buffers, nested arrays, files."""
