"""The RPC handlers, one file a service; each handler is the diagram of its flow.

A handler takes the parsed request and the authenticated caller; `edge` does the rest.
"""
