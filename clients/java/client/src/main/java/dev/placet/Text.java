package dev.placet;

import java.util.Map;
import java.util.regex.Pattern;

/**
 * Text that is meant as text, even if it begins like JSON: {@code Map.of("note", new Text("[draft] plan"))}.
 *
 * <p>A bare String in a map that begins as a list, an object or a quoted text does is refused: a policy that looks for
 * "pii" among tags would find nothing in the text {@code [pii]}, and so it would not fire. A record's component that is
 * declared as String takes any text.
 *
 * @param text the text
 */
public record Text(String text) {
    private static final Pattern JSON = Pattern.compile("\\s*(?:[\\[{\"]|'.*'\\s*\\z)", Pattern.DOTALL);

    static Map<String, ?> required(Map<String, ?> members, String path) {
        members.forEach((name, value) -> {
            if (value instanceof String text && JSON.matcher(text).lookingAt()) {
                throw new IllegalArgumentException(path + "." + name + " is text that begins like JSON; give the "
                        + "list or object itself, or new Text(...) for what is text");
            }
        });
        return members;
    }
}
