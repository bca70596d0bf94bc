"""The reasons of errors that have more than one, each with what it means."""

from collections.abc import Mapping

NOT_ALLOWED: Mapping[str, str] = {
    "ROLE_REQUIRED": "None of the caller's roles may call this RPC.",
    "PERSON_REQUIRED": "Only a person reviews, says what is in data and accepts a gap of the log, as itself.",
    "SUBJECT_NOT_ALLOWED": "The caller may not ask as this subject, or not act for a member of `on_behalf_of`.",
    "NO_LINEAGE_WRITER": "The caller has no entry in `lineage.writers`, which says what it may write.",
    "SEARCH_NOT_ALLOWED": "The caller's entry in the configuration does not say `may_search`.",
    "DATASET_FOREIGN": "An event writes, or a writer suggests for, a dataset in a namespace that it may not write.",
    "LINEAGE_FULL": "There would be more tags, or more columns, than this caller may bring: see the limits of lineage.",
    "REVIEWER_IS_REQUESTER": "The reviewer is one of the requester's principals.",
    "NOT_YOUR_DENIAL": "A denial is taken back only by the person who denied.",
    "REVIEWER_NOT_ELIGIBLE": "The reviewer is not among the people whom a requirement of this approval names.",
}
NOT_FOUND: Mapping[str, str] = {
    "APPROVAL_NOT_FOUND": "No approval has this id, or this caller may not see it.",
    "DECISION_NOT_FOUND": "No decision of this caller has this id.",
    "RECORD_NOT_FOUND": "The log has no such record.",
    "MASK_JOB_NOT_FOUND": "No mask job has this id, or this caller may not see it.",
    "DATASET_NOT_FOUND": "Lineage knows no dataset for this resource.",
    "LINK_NOT_FOUND": "The caller has no link of this account.",
    "PASSKEY_NOT_FOUND": "The caller has no passkey with this id.",
    "SUGGESTION_NOT_FOUND": "Lineage has no such suggestion.",
}
