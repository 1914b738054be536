import { MillraceError } from "@millrace/core";
import { createHash, createHmac, pbkdf2 as pbkdf2Callback, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { SaslOptions } from "./kafka-options.js";

const pbkdf2 = promisify(pbkdf2Callback);

/** Sends a message of the mechanism and gives the broker's answer. */
export type SaslExchange = (message: Uint8Array) => Promise<Buffer>;

/** Authenticates by SASL/PLAIN (RFC 4616) or SCRAM (RFC 5802). @throws `KAFKA_AUTHENTICATION_FAILED` when the server does not prove that it knows the password */
export async function authenticate({ mechanism, username, password }: SaslOptions, exchange: SaslExchange): Promise<void> {
  if (mechanism === "PLAIN") {
    await exchange(Buffer.from(`\0${username}\0${password}`));
    return;
  }
  await scram(mechanism === "SCRAM-SHA-256" ? "sha256" : "sha512", username, password, exchange);
}

async function scram(hash: "sha256" | "sha512", username: string, password: string, exchange: SaslExchange): Promise<void> {
  const nonce = randomBytes(24).toString("base64");
  const name = username.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const clientFirst = `n=${name},r=${nonce}`;
  const serverFirst = (await exchange(Buffer.from(`n,,${clientFirst}`))).toString();
  const { r: fullNonce = "", s: salt = "", i: iterations = "" } = attributes(serverFirst);
  // A server that asks for few iterations would get a hash that is cheap to guess from.
  if (!fullNonce.startsWith(nonce) || fullNonce.length === nonce.length || salt === "" || !(Number(iterations) >= 4096)) throw failed(`the broker's challenge is not usable: ${serverFirst}`);
  const size = hash === "sha256" ? 32 : 64;
  const salted = await pbkdf2(password.normalize("NFKC"), Buffer.from(salt, "base64"), Number(iterations), size, hash);
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const clientKey = hmac(salted, "Client Key");
  const withoutProof = `c=${Buffer.from("n,,").toString("base64")},r=${fullNonce}`;
  const message = `${clientFirst},${serverFirst},${withoutProof}`;
  const signature = hmac(createHash(hash).update(clientKey).digest(), message);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString("base64");
  const serverFinal = attributes((await exchange(Buffer.from(`${withoutProof},p=${proof}`))).toString());
  const expected = hmac(hmac(salted, "Server Key"), message);
  const actual = Buffer.from(serverFinal["v"] ?? "", "base64");
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) throw failed(serverFinal["e"] ?? "the broker does not prove that it knows the password");
}

function attributes(message: string): Readonly<Record<string, string>> {
  return Object.fromEntries(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}

function failed(message: string): MillraceError {
  return new MillraceError({ code: "KAFKA_AUTHENTICATION_FAILED", message: `SASL/SCRAM: ${message}`, hint: "check sasl.username, sasl.password and sasl.mechanism" });
}
