/** What a `systemctl` process prints and how it ends. */
export interface Printed {
  stdout: string;
  stderr: string;
  exitCode: number;
}

export const printed = (stdout = '', exitCode = 0): Printed => ({ stdout, stderr: '', exitCode });
export const complained = (stderr: string, exitCode: number): Printed => ({
  stdout: '',
  stderr: `${stderr}\n`,
  exitCode,
});
