import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerCredentials } from "@millrace/env-node";
import { makeCertificate, type CertificateRequest } from "../../src/security/certificates.js";

/** A CA of a cluster in a directory of its own, and what it signs. */
export class ClusterCertificates {
  readonly directory: string = mkdtempSync(join(tmpdir(), "millrace-ca-"));

  async make(name: string, request: Partial<CertificateRequest> = {}): Promise<PeerCredentials> {
    const { certificate, key, ca } = await makeCertificate({ directory: this.directory, name, hosts: [], ...request });
    const read = (file: string): string => readFileSync(file, "utf8");
    return { certificate: read(certificate), key: read(key), ca: read(ca), serverUnit: "internal" };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
