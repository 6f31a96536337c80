// Entry: providers in order, then the router.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { QueryClientProvider } from '@tanstack/react-query';
import { App } from './app';
import { makeQueryClient } from './api/hooks';
import { LanguageProvider } from './i18n';
import { ThemeProvider } from './theme/theme';
import { SessionProvider } from './shell/session';
import { Broken } from './shell/Broken';
import './styles.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <Broken>
        <QueryClientProvider client={makeQueryClient()}>
          <BrowserRouter>
            <SessionProvider>
              <ThemeProvider>
                <App />
              </ThemeProvider>
            </SessionProvider>
          </BrowserRouter>
        </QueryClientProvider>
      </Broken>
    </LanguageProvider>
  </StrictMode>,
);
