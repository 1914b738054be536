/** What a caller may do; each role may do what those before it may. `submitter` may start jobs, `operator` may stop them and what they leave, too. */
export const roles = ["viewer", "submitter", "operator"] as const;
export type Role = (typeof roles)[number];

export function isRole(value: string): value is Role {
  return (roles as readonly string[]).includes(value);
}

export function mayActAs(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** Who sent a request. */
export interface Identity {
  readonly name: string;
  readonly role: Role;
}
