package lib.words

label := sprintf("export of %v rows", [input.context.rows])
