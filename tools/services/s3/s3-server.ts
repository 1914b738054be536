// A private server that speaks S3: S3Proxy over a temporary folder, on a free port of the loopback. Its data outlives kills of its process.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.js";
import { mavenLibraries } from "../maven-libraries.js";
import { PrivateServer } from "../private-server.js";
import { ServerProcess } from "../server-process.js";
import { startOnFreePort } from "../start-on-free-port.js";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Why the server cannot be had here; `undefined` when it can. The first call takes 31 MB from Maven Central. Under CI that it is missing is an error. */
export function s3Missing(): string | undefined {
  return mavenLibraries("S3Proxy", folder);
}

export const S3_ACCESS_KEY = "millrace";
export const S3_SECRET_KEY = "millrace-secret";

/** With one empty bucket, `millrace`. */
export class S3Server extends PrivateServer {
  static async start(): Promise<S3Server> {
    const missing = s3Missing();
    if (missing !== undefined) throw new Error(missing);
    return startOnFreePort(async () => {
      const port = await freePort();
      const directory = mkdtempSync(join(tmpdir(), "millrace-s3-"));
      const data = join(directory, "data");
      mkdirSync(join(data, "millrace"), { recursive: true });
      const settings = join(directory, "s3proxy.properties");
      writeFileSync(settings, [
        `s3proxy.endpoint=http://127.0.0.1:${port}`, "s3proxy.authorization=aws-v2-or-v4", `s3proxy.identity=${S3_ACCESS_KEY}`, `s3proxy.credential=${S3_SECRET_KEY}`,
        "jclouds.provider=filesystem-nio2", "jclouds.identity=local", "jclouds.credential=local", `jclouds.filesystem.basedir=${data}`,
      ].join("\n"));
      const args = ["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", `-Dlogback.configurationFile=${folder}logback.xml`, "-cp", `${folder}target/lib/*`, "org.gaul.s3proxy.Main", "--properties", settings];
      return new S3Server(directory, port, new ServerProcess({ name: "S3Proxy", command: "java", args, ready: () => answers(port) }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** AWS's own variables, for a process that is to use it. */
  get environment(): Readonly<Record<string, string>> {
    return { AWS_ENDPOINT_URL_S3: this.url, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: S3_ACCESS_KEY, AWS_SECRET_ACCESS_KEY: S3_SECRET_KEY };
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    // Without credentials it refuses, and so it runs.
    return (await fetch(`http://127.0.0.1:${port}/`)).status === 403;
  } catch {
    return false;
  }
}
