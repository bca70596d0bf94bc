"""What each builtin of OPA does with arguments that are there: it gives a value or fails, or it may have no value.

An error ends the question, and nothing is allowed. No value ends only the rule, and with it what the rule asks for.
"""

_ALWAYS = """
abs and array.concat array.flatten array.reverse array.slice base64.decode base64.encode base64.is_valid
base64url.decode base64url.encode base64url.encode_no_pad bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil
concat contains count crypto.hmac.equal crypto.hmac.md5 crypto.hmac.sha1 crypto.hmac.sha256 crypto.hmac.sha512
crypto.md5 crypto.sha1 crypto.sha256 div endswith equal floor format_int glob.match glob.quote_meta graph.reachable
graph.reachable_paths gt gte hex.decode hex.encode indexof indexof_n internal.member_2 internal.member_3 intersection
is_array is_boolean is_null is_number is_object is_set is_string json.filter json.is_valid json.marshal
json.marshal_with_options json.patch json.remove json.unmarshal lower lt lte minus mul neq net.cidr_contains
net.cidr_contains_matches net.cidr_expand net.cidr_intersects net.cidr_is_valid net.cidr_merge numbers.range
numbers.range_step object.filter object.get object.keys object.remove object.subset object.union object.union_n or plus
product regex.find_all_string_submatch_n regex.find_n regex.globs_match regex.is_valid regex.match regex.replace
regex.split regex.template_match rem replace round semver.compare semver.is_valid sort split sprintf startswith
strings.any_prefix_match strings.any_suffix_match strings.count strings.render_template strings.replace_n
strings.reverse strings.split_n substring sum time.add_date time.clock time.date time.diff time.format
time.parse_duration_ns time.parse_ns time.parse_rfc3339_ns time.weekday to_number trim trim_left trim_prefix trim_right
trim_space trim_suffix type_name union units.parse units.parse_bytes upper uri.is_valid uri.parse urlquery.decode
urlquery.decode_object urlquery.encode urlquery.encode_object yaml.is_valid yaml.marshal yaml.unmarshal
"""
_NO_VALUE = "max min uuid.parse walk"
_NO_TERM = "assign eq internal.print internal.template_string internal.test_case print trace"
_GIVEN_UP = (
    "all any cast_array cast_boolean cast_null cast_object cast_set cast_string net.cidr_overlap re_match set_diff"
)
_FORBIDDEN = """
http.send io.jwt.decode_verify io.jwt.encode_sign io.jwt.encode_sign_raw json.match_schema json.verify_schema
net.lookup_ip_addr opa.runtime rand.intn time.now_ns uuid.rfc4122
"""
_UNTRIED = """
crypto.parse_private_keys crypto.x509.parse_and_verify_certificates
crypto.x509.parse_and_verify_certificates_with_options crypto.x509.parse_certificate_request
crypto.x509.parse_certificates crypto.x509.parse_keypair crypto.x509.parse_rsa_private_key graphql.is_valid
graphql.parse graphql.parse_and_verify graphql.parse_query graphql.parse_schema graphql.schema_is_valid io.jwt.decode
io.jwt.verify_eddsa io.jwt.verify_es256 io.jwt.verify_es384 io.jwt.verify_es512 io.jwt.verify_hs256 io.jwt.verify_hs384
io.jwt.verify_hs512 io.jwt.verify_ps256 io.jwt.verify_ps384 io.jwt.verify_ps512 io.jwt.verify_rs256 io.jwt.verify_rs384
io.jwt.verify_rs512 providers.aws.sign_req rego.metadata.chain rego.metadata.rule rego.parse_module
"""

ALWAYS = frozenset(_ALWAYS.split())
"""Builtins that give a value or fail. A test tries each with values of all types, and sees both and never neither."""

MAYBE = frozenset(f"{_NO_VALUE} {_NO_TERM} {_GIVEN_UP} {_FORBIDDEN} {_UNTRIED}".split())
"""All others, in this order: builtins that may have no value; statements; what OPA has given up; what policies may not
use; and what needs keys, certificates or programs to be tried. No entry needs those."""

LENGTHS = {"time.clock": 3, "time.date": 3, "time.diff": 6}
"""How many items a builtin's list has, where it is always as many: `[hour, _, _] := time.clock(x)` always fits."""
