const value: number = 1;
const broken = value +* 2;
export { broken };
