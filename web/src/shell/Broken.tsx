// Shell: the last net. A page that throws is replaced by words and a way out.
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { translate } from '../i18n';
import { remembered } from '../lib/memory';

interface State { error: Error | null }

export class Broken extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };
  static getDerivedStateFromError(error: Error): State {
    return { error };
  }
  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }
  override render() {
    if (!this.state.error) return this.props.children;
    const lang = remembered('lang') === 'en' ? 'en' : 'zh';
    return (
      <div className="state" role="alert">
        <h1>{translate(lang, 'app.broke')}</h1>
        <p>{translate(lang, 'app.broke_help')}</p>
        <p><code>{this.state.error.message}</code></p>
        <p className="row">
          <button type="button" className="button strong" onClick={() => location.reload()}>{translate(lang, 'app.reload')}</button>
          <a className="button" href="/">{translate(lang, 'app.home')}</a>
        </p>
      </div>
    );
  }
}
