using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Commands.Output;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Vaults;
using McpSm.PowerShell.Remedies;
using McpSm.PowerShell.SecretManagement;

namespace McpSm.PowerShell.Pipeline;

/// <summary>The base of all cmdlets: runs Core on the thread pool, and writes its exceptions as error records.</summary>
public abstract class McpCmdlet : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Authenticator? _authenticator;
    private ConsoleAuthInteraction? _interaction;
    private bool _hasReportedCatalog;

    /// <summary>Runs actions on the pipeline thread while <see cref="Run"/> is executing.</summary>
    internal PipelineDispatcher Dispatcher { get; private set; } = null!;

    internal AppEnvironment AppEnvironment => field ??= new AppEnvironment { Remedies = Remedies };

    /// <summary>Renders remedies: as cmdlets, or as <c>mcpsm</c> commands in the cmdlet that runs the command tree.</summary>
    private protected virtual RemedyFormatter Remedies => CmdletRemedyFormatter.Instance;

    private protected Authenticator Authenticator => _authenticator ??= new Authenticator(AppEnvironment, Interaction, new Progress(this), VaultProviders);

    /// <summary>The providers of vaults that only PowerShell can open.</summary>
    private protected virtual IReadOnlyList<IVaultProvider> VaultProviders => [new SecretManagementProvider(new SecretManagementCommands(this))];

    /// <summary>Shows messages of Core at this host, and reads answers there.</summary>
    private protected ConsoleAuthInteraction Interaction =>
        _interaction ??= new ConsoleAuthInteraction(new HostConsole(this, null), AppEnvironment, text => Warn(text));

    /// <summary>Runs work on the thread pool until it ends. The pipeline thread executes what the work queues in <see cref="Dispatcher"/>.</summary>
    private protected void Run(Func<CancellationToken, Task> work)
    {
        Dispatcher = new PipelineDispatcher(AppEnvironment.Exchanges, _stop.Token);
        try
        {
            Dispatcher.Run(work);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Runs the work for one server. A failure is an error record, so that the pipeline continues with the next server.</summary>
    private protected async Task TryAsync(string? server, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            Report(ErrorRecords.Create(e, server));
        }
    }

    /// <summary>Runs work for one server after the other.</summary>
    private protected void RunFor(IEnumerable<McpServer> servers, Func<McpServer, CancellationToken, Task> work) =>
        Run(async cancellationToken =>
        {
            foreach (var server in servers)
            {
                await TryAsync(server.Name, () => work(server, cancellationToken)).ConfigureAwait(false);
            }
        });

    /// <summary>Runs work for several servers at the same time. Results are written in the order in which the servers finish.</summary>
    /// <param name="activity">The title of the progress bar.</param>
    /// <param name="servers">The servers.</param>
    /// <param name="throttleLimit">The maximum number of servers at the same time.</param>
    /// <param name="work">The work for one server.</param>
    private protected void RunForMany(string activity, IReadOnlyList<McpServer> servers, int throttleLimit, Func<McpServer, CancellationToken, Task> work) =>
        Run(async cancellationToken =>
        {
            var done = 0;
            await Parallel.ForEachAsync(servers, new ParallelOptions { MaxDegreeOfParallelism = throttleLimit, CancellationToken = cancellationToken },
                async (server, cancelOne) =>
                {
                    await TryAsync(server.Name, () => work(server, cancelOne)).ConfigureAwait(false);
                    ShowProgress(activity, $"{server.Name}: {Interlocked.Increment(ref done)} of {servers.Count}", 100 * done / servers.Count);
                }).ConfigureAwait(false);
            EndProgress(activity);
        });

    /// <summary>Shows a progress bar.</summary>
    /// <param name="activity">The title of the progress bar.</param>
    /// <param name="status">The current step.</param>
    /// <param name="percent">The progress in percent; -1 if it is unknown.</param>
    private protected void ShowProgress(string activity, string status, int percent = -1) =>
        Dispatcher.Post(() => WriteProgress(new ProgressRecord(0, activity, UntrustedText.SanitizeLine(status)) { PercentComplete = percent }));

    private protected void EndProgress(string activity) =>
        Dispatcher.Post(() => WriteProgress(new ProgressRecord(0, activity, "Done") { RecordType = ProgressRecordType.Completed }));

    /// <summary>
    /// Returns the servers with these ids, names or URLs, or that match a wildcard; all servers for null. Writes an error for each name that
    /// no server has. A wildcard may match nothing.
    /// </summary>
    private protected IReadOnlyList<McpServer> Find(string[]? names)
    {
        if (ReadCatalog() is not { } all)
        {
            return [];
        }
        if (names is null)
        {
            return all;
        }
        var found = new List<McpServer>();
        foreach (var name in names)
        {
            if (ServerLookup.Find(all, name) is { } server)
            {
                found.Add(server);
            }
            else if (IsPattern(name))
            {
                found.AddRange(Matching(all, name));
            }
            else
            {
                WriteError(ErrorRecords.Create(ServerLookup.Failure(all, name), name));
            }
        }
        return [.. found.DistinctBy(s => s.Id)];
    }

    /// <summary>Returns all servers. Writes an error and returns null if the catalog cannot be read.</summary>
    private protected IReadOnlyList<McpServer>? ReadCatalog()
    {
        try
        {
            return new ServerCatalog(AppEnvironment).List();
        }
        catch (McpAuthException e)
        {
            // -ErrorAction cannot silence a terminating error, so write this one, and only once for all objects in the pipeline.
            if (!_hasReportedCatalog)
            {
                _hasReportedCatalog = true;
                WriteError(ErrorRecords.Create(e, null));
            }
            return null;
        }
    }

    /// <summary>Returns the only server, or the one that the user chooses. Writes an error if there are no servers, or if the user cannot answer.</summary>
    private protected IReadOnlyList<McpServer> FindOnlyOrChosen()
    {
        if (ReadCatalog() is not { } all)
        {
            return [];
        }
        try
        {
            return [new ServerChoice(this, Interaction).Ask(all)];
        }
        catch (McpAuthException e)
        {
            WriteError(ErrorRecords.Create(e, null));
            return [];
        }
    }

    /// <summary>Returns whether a name is a wildcard. A URL never is: <c>?</c> is an ordinary character of it.</summary>
    private protected static bool IsPattern(string name) => WildcardPattern.ContainsWildcardCharacters(name) && !ServerLookup.IsUrl(name);

    /// <summary>Returns the servers that match a wildcard in any letter case. If names differ only in letter case, an exact match wins.</summary>
    private static IEnumerable<McpServer> Matching(IReadOnlyList<McpServer> all, string wildcard)
    {
        var (pattern, exact) = (WildcardPattern.Get(wildcard, WildcardOptions.IgnoreCase), WildcardPattern.Get(wildcard, WildcardOptions.None));
        var found = all.Where(s => pattern.IsMatch(s.Name) || pattern.IsMatch(s.Id)).ToList();
        var exactMatches = found.Where(s => exact.IsMatch(s.Name) || exact.IsMatch(s.Id)).ToLookup(s => s.Name, StringComparer.OrdinalIgnoreCase);
        return found.Where(s => !exactMatches.Contains(s.Name) || exactMatches[s.Name].Contains(s));
    }

    /// <summary>
    /// Returns whether to continue. Asks like ShouldProcess, except with <c>-Force</c>. <c>-WhatIf</c> and <c>-Confirm</c> override <c>-Force</c>.
    /// </summary>
    private protected bool Confirmed(bool force, string target, string action)
    {
        var bound = MyInvocation.BoundParameters;
        var overridesForce = bound.ContainsKey("WhatIf") || bound.ContainsKey("Confirm")
            || LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));
        return force && !overridesForce || ShouldProcess(target, action);
    }

    private protected static string? UnwrapText(SecureString? secret) => secret is null ? null : new NetworkCredential("", secret).Password;

    /// <summary>Writes an object to the pipeline, from any thread.</summary>
    internal void Write(object output) => Dispatcher.Post(() => WriteObject(output));

    /// <summary>Writes an error, from any thread.</summary>
    private protected virtual void Report(ErrorRecord error) => Dispatcher.Post(() => WriteError(error));

    private protected void WarnOfRevocation(SignOutResult result) => WarnOfRevocation(result.RevocationFailure);

    /// <summary>Warns if the issuer did not confirm that it revoked the tokens.</summary>
    /// <param name="failure">The reason; null if the issuer confirmed it.</param>
    private protected void WarnOfRevocation(string? failure)
    {
        if (failure is not null)
        {
            Warn($"The tokens were removed here, but the issuer did not confirm that it revoked them. {failure}");
        }
    }

    /// <summary>Writes a warning, from any thread.</summary>
    private protected void Warn(Remedy text) => Dispatcher.Post(() => WriteWarning(UntrustedText.SanitizeLine(AppEnvironment.Remedies.Format(text))));

    /// <summary>Writes a line for the user to the information stream, so that an assignment of the output does not capture it.</summary>
    internal virtual void WriteForUser(string text) => Dispatcher.Post(() => WriteInformation(
        new HostInformationMessage { Message = UntrustedText.SanitizeLine(text) }, ["PSHOST", "Mcpsm"]));

    /// <summary>Writes the beginning of a line on which the user answers.</summary>
    internal void Prompt(string text) => Dispatcher.Post(() => Host.UI.Write(UntrustedText.SanitizeLine(text)));

    protected override void StopProcessing() => _stop.Cancel();

    public void Dispose()
    {
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed class Progress(McpCmdlet cmdlet) : IProgress<string>
    {
        public void Report(string value) => cmdlet.Dispatcher.Post(() => cmdlet.WriteVerbose(UntrustedText.SanitizeLine(value)));
    }
}
