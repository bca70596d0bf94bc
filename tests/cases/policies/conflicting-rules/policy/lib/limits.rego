package lib.limits

level := "high" if "eu" in input.context.regions

level := "low" if "us" in input.context.regions
