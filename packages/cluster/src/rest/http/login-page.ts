/** Where browsers log in with a token. Needs no script, so a strict content security policy holds. */
export function loginPage(problem: string | undefined): string {
  const note = problem === undefined ? "" : `<p role="alert">${problem}</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Millrace: log in</title>
<style>body{font:16px system-ui,sans-serif;max-width:24rem;margin:15vh auto;padding:0 1rem}input{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;margin:.5rem 0}p{color:#b00020}</style>
</head><body><h1>Millrace</h1>${note}
<form method="post" action="/login"><label>Token <input type="password" name="token" autocomplete="current-password" autofocus required></label><button>Log in</button></form>
</body></html>
`;
}
