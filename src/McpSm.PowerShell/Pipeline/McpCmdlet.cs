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

/// <summary>What all cmdlets of the module have: Core, run on the pool, and its failures as error records.</summary>
public abstract class McpCmdlet : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Authenticator? _authenticator;
    private ConsoleAuthInteraction? _interaction;
    private bool _saidUnreadable;

    private protected PipelineDispatcher Dispatcher { get; private set; } = null!;

    private protected AppEnvironment AppEnvironment => field ??= new AppEnvironment { Remedies = Remedies };

    /// <summary>Renders what to do next: as cmdlets, unless this cmdlet stands for the command of a shell.</summary>
    private protected virtual RemedyFormatter Remedies => CmdletRemedyFormatter.Instance;

    private protected Authenticator Authenticator => _authenticator ??= new Authenticator(AppEnvironment, Interaction, new Progress(this), VaultSources);

    /// <summary>The vaults there are besides those that Core knows.</summary>
    private protected virtual IReadOnlyList<IVaultProvider> VaultSources => [new SecretManagementProvider(new SecretManagementCommands(this))];

    /// <summary>Core's way to the person at this host.</summary>
    private protected ConsoleAuthInteraction Interaction => _interaction ??= new ConsoleAuthInteraction(new HostConsole(this, null), AppEnvironment, text => Warn(text));

    /// <summary>Runs work on the pool; this thread serves it until it ends.</summary>
    private protected void Run(Func<CancellationToken, Task> work)
    {
        Dispatcher = new PipelineDispatcher(_stop.Token, AppEnvironment.Exchanges);
        try
        {
            Dispatcher.Run(work);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Work for one server, whose failure is its own: the rest of the pipeline goes on.</summary>
    private protected async Task TryAsync(string? server, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            Report(ErrorRecords.Record(e, server));
        }
    }

    private protected void RunFor(IEnumerable<McpServer> servers, Func<McpServer, CancellationToken, Task> work) =>
        Run(async cancellationToken =>
        {
            foreach (var server in servers)
            {
                await TryAsync(server.Name, () => work(server, cancellationToken)).ConfigureAwait(false);
            }
        });

    /// <summary>Work for many servers at a time, each of whose results comes as it is there.</summary>
    /// <param name="activity">What is shown beside how many are done.</param>
    private protected void RunForMany(string activity, IReadOnlyList<McpServer> servers, int most, Func<McpServer, CancellationToken, Task> work) =>
        Run(async cancellationToken =>
        {
            var done = 0;
            await Parallel.ForEachAsync(servers, new ParallelOptions { MaxDegreeOfParallelism = most, CancellationToken = cancellationToken },
                async (server, one) =>
                {
                    await TryAsync(server.Name, () => work(server, one)).ConfigureAwait(false);
                    ShowProgress(activity, $"{server.Name}: {Interlocked.Increment(ref done)} of {servers.Count}", 100 * done / servers.Count);
                }).ConfigureAwait(false);
            EndProgress(activity);
        });

    /// <param name="percent">How far it is; -1 where one cannot know.</param>
    private protected void ShowProgress(string activity, string status, int percent = -1) =>
        Dispatcher.Post(() => WriteProgress(new ProgressRecord(0, activity, UntrustedText.SanitizeLine(status)) { PercentComplete = percent }));

    private protected void EndProgress(string activity) =>
        Dispatcher.Post(() => WriteProgress(new ProgressRecord(0, activity, "Done") { RecordType = ProgressRecordType.Completed }));

    /// <summary>
    /// The servers of ids, names or wildcards. What names nothing is an error of its own; a wildcard may match nothing.
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
            if (ServerLookup.Find(all, name) is { } one)
            {
                found.Add(one);
            }
            else if (IsPattern(name))
            {
                found.AddRange(Matching(all, name));
            }
            else
            {
                WriteError(ErrorRecords.Record(ServerLookup.Failure(all, name), name));
            }
        }
        return [.. found.DistinctBy(s => s.Id)];
    }

    /// <summary>All servers; null, and an error, if the catalog cannot be read.</summary>
    private protected IReadOnlyList<McpServer>? ReadCatalog()
    {
        try
        {
            return new ServerCatalog(AppEnvironment).List();
        }
        catch (McpAuthException e)
        {
            // Not a terminating one, which no -ErrorAction silences; and once, however much comes through the pipeline.
            if (!_saidUnreadable)
            {
                _saidUnreadable = true;
                WriteError(ErrorRecords.Record(e, null));
            }
            return null;
        }
    }

    /// <summary>The one server there is, or the one that a person chooses. Writes an error if there is none, or nobody to choose.</summary>
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
            WriteError(ErrorRecords.Record(e, null));
            return [];
        }
    }

    /// <summary>The characters of a pattern are ordinary ones in a URL.</summary>
    private protected static bool IsPattern(string name) => WildcardPattern.ContainsWildcardCharacters(name) && !ServerLookup.IsUrl(name);

    /// <summary>In any letter case; if names differ in that alone, those that match as they are written.</summary>
    private static IEnumerable<McpServer> Matching(IReadOnlyList<McpServer> all, string name)
    {
        var (pattern, exact) = (WildcardPattern.Get(name, WildcardOptions.IgnoreCase), WildcardPattern.Get(name, WildcardOptions.None));
        var found = all.Where(s => pattern.IsMatch(s.Name) || pattern.IsMatch(s.Id)).ToList();
        var asWritten = found.Where(s => exact.IsMatch(s.Name) || exact.IsMatch(s.Id)).ToLookup(s => s.Name, StringComparer.OrdinalIgnoreCase);
        return found.Where(s => !asWritten.Contains(s.Name) || asWritten[s.Name].Contains(s));
    }

    /// <summary>Whether to go on: asks where PowerShell would, unless <c>-Force</c> answers it; <c>-WhatIf</c> wins.</summary>
    private protected bool Confirmed(bool force, string target, string action)
    {
        var bound = MyInvocation.BoundParameters;
        var asksAnyway = bound.ContainsKey("WhatIf") || bound.ContainsKey("Confirm")
            || LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));
        return force && !asksAnyway || ShouldProcess(target, action);
    }

    private protected static string? UnwrapText(SecureString? secret) => secret is null ? null : new NetworkCredential("", secret).Password;

    private protected void Write(object output) => Dispatcher.Post(() => WriteObject(output));

    private protected virtual void Report(ErrorRecord error) => Dispatcher.Post(() => WriteError(error));

    private protected void WarnOf(SignOutResult ended) => WarnOfRevocation(ended.RevocationFailure);

    /// <param name="failure">Why the revocation was not confirmed; null where it was.</param>
    private protected void WarnOfRevocation(string? failure)
    {
        if (failure is not null)
        {
            Warn($"The tokens were removed here, but not confirmed as revoked. {failure}");
        }
    }

    private protected void Warn(Remedy text) => Dispatcher.Post(() => WriteWarning(UntrustedText.SanitizeLine(AppEnvironment.Remedies.Format(text))));

    /// <summary>Text for the person at the host, which no assignment swallows.</summary>
    internal virtual void Tell(string text) => Dispatcher.Post(() => WriteInformation(
        new HostInformationMessage { Message = UntrustedText.SanitizeLine(text) }, ["PSHOST", "Mcpsm"]));

    /// <summary>The beginning of a line on which somebody is asked.</summary>
    internal void Prompt(string text) => Dispatcher.Post(() => Host.UI.Write(UntrustedText.SanitizeLine(text)));

    internal void Emit(object line) => Write(line);

    internal PipelineDispatcher Serving => Dispatcher;

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
