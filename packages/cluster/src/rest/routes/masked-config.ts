/** Flink's rule (GlobalConfiguration.isSensitive): a key that holds one of these words has a secret as its value. */
const secretWords = ["password", "secret", "fs.azure.account.key", "apikey", "api-key", "auth-params", "service-key", "token", "basic-auth", "jaas.config", "http-headers", "credential", "access-key", "private-key", "passphrase"];
const MASK = "******";

export function isSecret(key: string): boolean {
  const lower = key.toLowerCase().replaceAll("_", "-");
  return secretWords.some((word) => lower.includes(word));
}

/** Configuration as text, in which no secret can be read: neither by key nor inside a URL. */
export function masked(config: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, isSecret(key) ? MASK : withoutUserInfo(String(value))]));
}

function withoutUserInfo(value: string): string {
  return value.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/gi, `$1${MASK}@`);
}
