package pdp

decisions[index] := {"effect": "ALLOW"} if some index, _ in input.batch
