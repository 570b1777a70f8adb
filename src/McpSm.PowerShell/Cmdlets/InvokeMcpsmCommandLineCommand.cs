using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Commands;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>What <c>Invoke-Mcpsm</c> ends in: the command tree, with the pipeline's thread serving it. Not exported.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "McpsmCommandLine")]
[OutputType(typeof(string))]
public sealed class InvokeMcpsmCommandLineCommand : McpCmdlet
{
    /// <summary>The words behind <c>mcpsm</c>, as PowerShell took them.</summary>
    [Parameter(Mandatory = true)]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? ArgumentList { get; set; }

    /// <summary>What came through the pipeline: standard input, line by line.</summary>
    [Parameter]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? InputObject { get; set; }

    protected override void ProcessRecord()
    {
        var words = (ArgumentList ?? []).Select(Word).ToList();
        var lines = (InputObject ?? []).SelectMany(o => Word(o).Split('\n')).Select(l => l.TrimEnd('\r')).ToList();
        var code = ExitCode.Cancelled;
        try
        {
            Run(async cancellationToken =>
            {
                var console = new HostConsole(this, lines);
                code = await McpsmCommand.RunAsync(words, console, Home, cancellationToken, VaultSources).ConfigureAwait(false);
            });
        }
        finally
        {
            SessionState.PSVariable.Set("global:LASTEXITCODE", code);
        }
    }

    /// <summary>As a native program would be given it: <c>a,b</c> is one word, numbers are invariant.</summary>
    private static string Word(object? argument) => (argument is PSObject wrapped ? wrapped.BaseObject : argument) switch
    {
        null => "",
        string text => text,
        SecureString secret => new NetworkCredential("", secret).Password,
        IEnumerable several => string.Join(',', several.Cast<object?>().Select(Word)),
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? "",
    };
}
