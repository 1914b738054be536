import x from "./not-there.js"; console.log(x)
