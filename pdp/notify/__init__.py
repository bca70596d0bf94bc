"""Messages to webhooks about the steps of approvals: their content, their signature and where they may go.

An answer changes nothing: only its HTTP status is read.
"""
