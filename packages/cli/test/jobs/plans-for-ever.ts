const never: boolean = true;
while (never) await new Promise((resolve) => setTimeout(resolve, 50));

export const planned = false;
