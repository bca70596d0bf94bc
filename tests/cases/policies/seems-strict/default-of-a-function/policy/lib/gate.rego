package lib.gate

default open(_) := true

open(purpose) := false if purpose == "marketing"
