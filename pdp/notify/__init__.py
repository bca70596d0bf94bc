"""Messages to webhooks about the steps of approvals: what they say, where they may go, how often they are tried.

Whatever comes back changes nothing: of an answer only its HTTP status is read.
"""
