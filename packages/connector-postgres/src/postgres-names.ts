/** A name in double quotes. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table with its schema, each in quotes. A name with dots in it cannot be said. */
export function quoteTable(table: string): string {
  return table.split(".").map(quote).join(".");
}

/** A text as a literal, whatever the server's settings. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
