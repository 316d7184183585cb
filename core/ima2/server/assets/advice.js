// What to do about a failure, by its code. Codes of providers often carry a prefix, so endings and words count.

const ADVICE = [
  [/SERVER_UNREACHABLE/, "See whether it still runs: `ima2 serve` starts it."],
  [/SERVER_RESTARTED/, "Use the prompt again; what had been saved is in the gallery."],
  [/TOO_MANY_JOBS/, "Wait until one has ended, or cancel one."],
  [/RATE_LIMIT|QUOTA/, "Wait a little, then try again, or choose another provider."],
  [/SAFETY|MODERATION|REFUS/, "Say it in other words; the provider does not draw this."],
  [/AUTH|KEY|LOGIN|CREDENTIAL/, "See below, under Providers, what this one needs; then start the server again."],
  [/PROXY|OAUTH|NETWORK|UNAVAILABLE|UNREACHABLE|OFFLINE/, "Check the connection and try again, or choose another provider."],
  [/TIMEOUT/, "Try again; a smaller size or lower quality is quicker."],
  [/EMPTY|NO_IMAGE/, "Try again, or choose another size, quality or model."],
  [/UNKNOWN_PROVIDER/, "Choose another provider; `ima2 plugins list` shows what is installed."],
  [/^INVALID_|_INVALID|UNSUPPORTED|TOO_LONG|REQUIRED/, "Change that setting and generate again."],
  [/CRASH|INTERNAL/, "The server's log says where it happened."],
];

/** One sentence, or the general one. */
export function advice(code) {
  const found = ADVICE.find(([pattern]) => pattern.test(code || ""));
  return found ? found[1] : "Try again, or choose another provider.";
}
