import type { CertificateRequest } from "@millrace/cluster/certificates";
import type { Role } from "@millrace/cluster/security";

/** `millrace cert`: writes a certificate and its key, and the CA when the directory has none; prints what to configure. */
export async function certCommand(request: CertificateRequest): Promise<void> {
  const { makeCertificate } = await import("@millrace/cluster/certificates");
  const { certificate, key, ca, caIsNew } = await makeCertificate(request);
  if (caIsNew) process.stderr.write(`made a CA for this cluster: ${ca}; keep ca.key beside it safe, and off the machines of the cluster\n`);
  const parts = request.role === "internal" ? ["internal"] : request.hosts.length > 0 ? ["rest"] : ["internal", "rest"];
  process.stdout.write(parts.flatMap((part) => [`security.ssl.${part}.certificate: ${certificate}`, `security.ssl.${part}.key: ${key}`, `security.ssl.${part}.ca: ${ca}`, ""]).join("\n"));
}

/** `millrace token`: prints a new token, and keeps its hash. */
export async function tokenCommand(name: string, role: Role, file: string): Promise<void> {
  const { addToken } = await import("@millrace/cluster/security");
  process.stdout.write(`${addToken(file, name, role)}\n`);
  process.stderr.write(`${name} may act as ${role}; the token is shown only now, ${file} holds its hash\n`);
}
