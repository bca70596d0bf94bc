// The rules of the pages' scripts: what could run or load something that is not ours does not pass.
import js from "@eslint/js";

const FORBIDDEN = [
  "innerHTML",
  "outerHTML",
  "insertAdjacentHTML",
  "setHTMLUnsafe",
  "parseHTMLUnsafe",
  "createContextualFragment",
  "srcdoc",
  "localStorage",
  "sessionStorage",
];

const GLOBALS = [
  "AbortController", "CSS", "CustomEvent", "Element", "Event", "EventSource", "FormData", "HTMLAnchorElement",
  "HTMLButtonElement", "HTMLDetailsElement", "HTMLDialogElement", "HTMLElement", "HTMLFormElement", "HTMLInputElement",
  "HTMLSelectElement", "HTMLTextAreaElement", "HTMLTimeElement", "IntersectionObserver", "Intl", "KeyboardEvent",
  "MessageEvent", "MutationObserver", "PublicKeyCredential", "AuthenticatorAssertionResponse",
  "AuthenticatorAttestationResponse", "TextDecoder", "TextDecoderStream", "TextEncoder", "URL", "URLSearchParams",
  "XMLHttpRequest", "atob", "btoa", "clearTimeout", "crypto", "document", "fetch", "location", "navigator", "setTimeout",
  "window",
]; // prettier-ignore

export default [
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "module",
      globals: Object.fromEntries(GLOBALS.map((name) => [name, "readonly"])),
    },
    rules: {
      curly: "error",
      eqeqeq: "error",
      "max-lines": ["error", 150],
      "max-lines-per-function": ["error", 40],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-restricted-properties": ["error", ...FORBIDDEN.map((property) => ({ property }))],
      "no-restricted-syntax": [
        "error",
        { selector: "ImportExpression", message: "A page says which scripts it has." },
        {
          selector: "CallExpression[callee.property.name='write'][callee.object.name='document']",
          message: "Text only.",
        },
      ],
    },
  },
];
