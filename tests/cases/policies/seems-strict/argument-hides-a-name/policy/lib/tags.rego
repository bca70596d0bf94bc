package lib.tags

has(properties, tag) if tag in properties.tagz
