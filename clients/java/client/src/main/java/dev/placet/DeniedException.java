package dev.placet;

/** A decision that does not allow; {@link #decision} says why. */
public final class DeniedException extends PlacetException {
    private final transient Decision decision;

    DeniedException(Decision decision) {
        super("PERMISSION_DENIED", "DENIED", decision.why());
        this.decision = decision;
    }

    /** The decision. */
    public Decision decision() {
        return decision;
    }
}
