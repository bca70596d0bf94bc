# The five sets. Defines each set that authors add to with a rule that is never true. So a boolean `deny if …` does not
# compile, data or a package at one of these paths is refused, and the core can name them all whoever wrote the policy.
# No METADATA here: OPA takes one annotation a package, and `package policy` has many files.
package policy

deny contains {} if false

needs_approval contains {} if false

allow contains {} if false

obligation contains {} if false

mask contains {} if false
