"""The steps of a decision and of an approval, each on real parts: judge, settle, review, request, watch."""
