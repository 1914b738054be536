/** A `URL`, as far as the library looks at one. Structural, so that its types need neither the DOM's nor Node's. */
export interface UrlLike {
  readonly href: string;
}
