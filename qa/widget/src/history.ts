// Which conversation this browser is in: only its id is kept here, its content stays with the service.

export class History {
  private readonly key: string;
  private current: string | null;

  constructor(endpoint: string) {
    this.key = `sourceline:conversation:${endpoint}`;
    this.current = this.read();
  }

  get id(): string | null {
    return this.current;
  }

  set(id: string | null): void {
    this.current = id;
    try {
      if (id) localStorage.setItem(this.key, id);
      else localStorage.removeItem(this.key);
    } catch {
      // Storage may be blocked: the conversation then lasts as long as the page.
    }
  }

  private read(): string | null {
    try {
      return localStorage.getItem(this.key);
    } catch {
      return null;
    }
  }
}
