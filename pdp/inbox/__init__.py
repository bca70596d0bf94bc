"""The pages of the inbox: what people see, in HTML. Routes and templates."""
