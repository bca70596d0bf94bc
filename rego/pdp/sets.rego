# Defines each of the five sets that authors add to, with a rule that is never true. So:
# 1. A boolean `deny if …` does not compile.
# 2. Data or a package at one of these paths is refused.
# 3. The core can name all five sets, even if the author's policy uses only some.
# This file has no METADATA: OPA takes one annotation for each package, and `package policy` has many files.
package policy

deny contains {} if false

needs_approval contains {} if false

allow contains {} if false

obligation contains {} if false

mask contains {} if false
