"""Placet: a policy decision point for AI agents and pipelines.

    authenticate -> canonical request -> OPA -> settle approval -> append audit record -> answer
     authn, edge     canonical         batching   settlement        audit.writer
                                        decision   approval
                                        opa        store

ARCHITECTURE.md has one sentence for each folder. A client needs `pdp.client`, or nothing but `proto/`.
"""

__version__ = "0.1.0"
